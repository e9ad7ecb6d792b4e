declare module 'node-gyp-build' {
  const nodeGypBuild: {
    /** The path of the addon in a package's folder: its own build, else a prebuilt one that fits. */
    resolve(folder: string): string;
  };
  export default nodeGypBuild;
}
