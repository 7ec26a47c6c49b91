/** Generalized Time (RFC 4517 §3.3.13) and milliseconds since 1970. Never throws. */

const shape = /^(\d{4})(\d\d)(\d\d)(\d\d)(?:(\d\d)(\d\d)?)?(?:[.,](\d+))?(Z|([+-])(\d\d)(\d\d)?)$/;

/** Undefined for what is no Generalized Time. */
export function parseGeneralizedTime(text: string): number | undefined {
  const found = shape.exec(text);
  if (found === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction, , sign, zoneHour, zoneMinute] = found;
  const whole = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute ?? 0),
    Number(second ?? 0),
  );
  // A fraction is of the last element that is there.
  const unit = second !== undefined ? 1000 : minute !== undefined ? 60_000 : 3_600_000;
  const part = fraction === undefined ? 0 : Math.floor(Number(`0.${fraction}`) * unit);
  const zone = (Number(zoneHour ?? 0) * 60 + Number(zoneMinute ?? 0)) * 60_000;
  return whole + part - (sign === '-' ? -zone : zone);
}

/** In UTC, down to the second, as servers write it. */
export function formatGeneralizedTime(time: number): string {
  return `${new Date(time).toISOString().replace(/\D/g, '').slice(0, 14)}Z`;
}
