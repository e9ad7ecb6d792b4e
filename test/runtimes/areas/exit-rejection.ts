// Ends by a rejection that nobody handles, after one that a handler took.
await new Promise<void>((resolve) => {
  process.once('unhandledRejection', () => resolve());
  void Promise.reject(new Error('handled'));
});
setTimeout(() => void Promise.reject(new Error('rejected in vain')), 1);
