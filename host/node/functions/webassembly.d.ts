/** The part of WebAssembly's JavaScript interface that the Function Runtime uses; Node.js's types leave it out. */
declare namespace WebAssembly {
  class Memory {
    readonly buffer: ArrayBuffer;
  }
  class Global {
    // The value of an i32; others are not used.
    value: number;
  }
  class Module {
    constructor(bytes: Uint8Array);
    // Tells modules from other objects.
    private readonly module: never;
  }
  class Instance {
    constructor(module: Module, imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>);
    readonly exports: Readonly<Record<string, unknown>>;
  }
  function compile(bytes: Uint8Array): Promise<Module>;
}
