// The least that child_process.fork() can start: CommonJS, which Node runs sooner than a module, and nothing loaded.
const stamp = process.hrtime.bigint();
process.send?.(String(stamp), () => process.disconnect());
