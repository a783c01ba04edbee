let a = 1 << 2 >>> 1;
// Say hello
console.log(`<<${a}>>`);
