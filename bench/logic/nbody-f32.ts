/** The outer solar system, 1000 steps of a symplectic Euler integrator in f32. Units: AU, years, solar masses · 4π². */
class Body {
  constructor(
    public x: f32,
    public y: f32,
    public z: f32,
    public vx: f32,
    public vy: f32,
    public vz: f32,
    readonly mass: f32,
  ) {}
}

const sun = new Body(0, 0, 0, 0, 0, 0, 39.4784176);
const jupiter = new Body(4.8414314, -1.16032, -0.103622, 0.6063264, 2.8119868, -0.0252183, 0.0376937);
const saturn = new Body(8.3433667, 4.1247986, -0.4035234, -1.0107743, 1.8256624, 0.0084158, 0.0112863);
const uranus = new Body(12.8943696, -15.1111514, -0.2233076, 1.082791, 0.868713, -0.0108326, 0.0017237);
const neptune = new Body(15.3796971, -25.9193146, 0.1792588, 0.9790907, 0.594699, -0.034756, 0.0020337);
const bodies = [sun, jupiter, saturn, uranus, neptune];

function advance(dt: f32): void {
  for (let i = 0; i < bodies.length; i++) {
    const a = bodies[i];
    for (let j = i + 1; j < bodies.length; j++) {
      const b = bodies[j];
      const dx = a.x - b.x;
      const dy = a.y - b.y;
      const dz = a.z - b.z;
      const d2 = dx * dx + dy * dy + dz * dz;
      const magnitude = dt / (d2 * Math.sqrt(d2));
      a.vx -= dx * b.mass * magnitude;
      a.vy -= dy * b.mass * magnitude;
      a.vz -= dz * b.mass * magnitude;
      b.vx += dx * a.mass * magnitude;
      b.vy += dy * a.mass * magnitude;
      b.vz += dz * a.mass * magnitude;
    }
  }
  for (const body of bodies) {
    body.x += dt * body.vx;
    body.y += dt * body.vy;
    body.z += dt * body.vz;
  }
}

function energy(): f32 {
  let sum: f32 = 0;
  for (let i = 0; i < bodies.length; i++) {
    const a = bodies[i];
    sum += 0.5 * a.mass * (a.vx * a.vx + a.vy * a.vy + a.vz * a.vz);
    for (let j = i + 1; j < bodies.length; j++) {
      const b = bodies[j];
      const dx = a.x - b.x;
      const dy = a.y - b.y;
      const dz = a.z - b.z;
      sum -= (a.mass * b.mass) / Math.sqrt(dx * dx + dy * dy + dz * dz);
    }
  }
  return sum;
}

export function main(): void {
  for (let step = 0; step < 1000; step++) advance(0.01);
  log("nbody-f32", energy(), jupiter.x, neptune.y);
}
