// Ends by abort().
setTimeout(() => process.abort(), 1);
