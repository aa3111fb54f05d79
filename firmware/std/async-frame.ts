/**
 * What a call of an async function is: a frame that is stepped until it has ended. The compiler derives one class from
 * it for each async function; a program never names it.
 */
export abstract class AsyncFrame<T> {
  /** Where the next step goes on. */
  state: u16 = 0;

  /** Goes on until the next wait; true when the function has ended. A trap leaves through it. */
  abstract poll(): boolean;

  /** What the function returned, after its end. */
  abstract value(): T;

  /** The next step begins anew, with the arguments of the start. */
  restart(): void {
    this.state = 0;
  }
}
