// Bytes as people say them.
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** 10 GiB, 1.5 MiB: three digits at most. */
export function amount(bytes: number): string {
    const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
    return `${Number((bytes / 1024 ** power).toPrecision(3))} ${UNITS[power]}`;
}
