// What is read out of a round, how it is shown, and how it is compared. A row lists its figures; the
// first is the one that its goals are about.

/**
 * @typedef {object} Figure
 * @property {string} key
 * @property {string} title
 * @property {'lower' | 'higher'} better
 * @property {number} digits                  after the point
 * @property {boolean} [compared]             its ratios to node:net and to the limit are shown
 * @property {{ io_uring?: number, epoll?: number }} [limits]  what soref itself is to keep to
 * @property {(round: any) => number} of
 */

/** Units of work a second. @returns {Figure} */
export const rate = (unit) => ({
  ...{ key: 'perSecond', title: `${unit}s/s`, better: 'higher', digits: 0, compared: true },
  of: (round) => round.per_second,
});

/** CPU time of the measured process, user and kernel, for each unit of work. @returns {Figure} */
export const cpuEach = (unit) => ({
  ...{ key: 'cpuUs', title: `CPU µs/${unit}`, better: 'lower', digits: 1, compared: true },
  of: (round) => round.server.cpu_us / round.window.completed,
});

/** Units of work for a second of CPU time. @returns {Figure} */
export const perCpuSecond = (unit) => ({
  ...{ key: 'perCpuSecond', title: `${unit}s/CPU s`, better: 'higher', digits: 0, compared: true },
  of: (round) => round.window.completed / (round.server.cpu_us / 1e6),
});

/** Bytes for a second of CPU time, in megabytes. @returns {Figure} */
export const megabytesPerCpuSecond = {
  ...{ key: 'mbPerCpuSecond', title: 'MB/CPU s', better: 'higher', digits: 0, compared: true },
  of: (round) => round.window.completed / round.server.cpu_us,
};

/** @returns {Figure} */
export const megabytesPerSecond = {
  ...{ key: 'mbPerSecond', title: 'MB/s', better: 'higher', digits: 0 },
  of: (round) => round.per_second / 1e6,
};

/** A quantile of the latency: 'p50' or 'p99'. @returns {Figure} */
export const latency = (quantile, compared = false) => ({
  ...{ key: `${quantile}Us`, title: `${quantile} µs`, better: 'lower', digits: 0, compared },
  of: (round) => round.latency_us[quantile],
});

/** A number that the row's procedure calculates. @returns {Figure} */
export const own = (key, title, digits, { better = 'lower', compared = false, limits } = {}) => ({
  ...{ key, title, better, digits, compared, limits },
  of: (round) => round[key],
});
