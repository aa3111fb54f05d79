/** Finds a TCP port of the loopback interface that nothing uses at this moment. */
import { createServer } from "node:net";

/**
 * A port that was free a moment ago: another process may take it before its user does, so whoever starts a server
 * on it tries again with another one.
 */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close((error) => {
        if (error === undefined) {
          resolve(port);
        } else {
          reject(error);
        }
      });
    });
  });
}
