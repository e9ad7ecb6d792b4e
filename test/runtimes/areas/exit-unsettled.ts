// Ends with status 13: its top-level await never settles.
await new Promise(() => {});
