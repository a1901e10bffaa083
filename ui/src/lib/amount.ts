// Bytes as people say them.
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** 10 GiB, 1.5 MiB: three digits at most, and each byte below a KiB. */
export function amount(bytes: number): string {
    const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
    const number = power > 0 ? Number((bytes / 1024 ** power).toPrecision(3)) : bytes;
    return `${number} ${UNITS[power]}`;
}
