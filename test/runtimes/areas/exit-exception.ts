// Ends by an exception that nobody catches, after one that a handler caught.
await new Promise<void>((resolve) => {
  process.once('uncaughtException', () => resolve());
  setImmediate(() => {
    throw new Error('handled');
  });
});
setTimeout(() => {
  throw new Error('thrown in a timer');
}, 1);
