/** MQTT without waiting: small packets leave at once instead of waiting for the acknowledgement of the one before. */
import type { MqttClient } from "mqtt";

/**
 * Nagle's algorithm and delayed acknowledgements together hold up every answer by 40 ms. The library leaves it on; this
 * turns it off on every connection that the client makes.
 */
export function withoutDelay(client: MqttClient): void {
  const now = (): void => {
    const { stream } = client as { readonly stream?: { setNoDelay?: (on: boolean) => void } };
    stream?.setNoDelay?.(true);
  };
  now();
  client.on("connect", now);
}
