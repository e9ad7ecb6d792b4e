// Ends because nothing is left to do; beforeExit may add work.
let rounds = 0;
process.on('beforeExit', () => {
  console.log(`beforeExit ${++rounds}`);
  if (rounds < 2) setTimeout(() => {}, 1);
});
process.on('exit', (code) => console.log(`exit event: ${code}`));
