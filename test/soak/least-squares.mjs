// A straight line through points, with the standard error of its slope.

/**
 * @param {number[]} xs
 * @param {number[]} ys as many
 * @returns {{ slope: number, error: number, points: number }} NaN where there are too few points
 */
export function fitLine(xs, ys) {
  const points = xs.length;
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / points;
  const middleX = mean(xs);
  const middleY = mean(ys);
  const sum = (of) => xs.reduce((total, x, i) => total + of(x - middleX, ys[i] - middleY), 0);
  const spread = sum((x) => x * x);
  const slope = sum((x, y) => x * y) / spread;
  const rest = sum((x, y) => (y - slope * x) ** 2);
  return { slope, error: Math.sqrt(rest / (points - 2) / spread), points };
}
