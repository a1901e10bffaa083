// What every language must say. English is the shape; a key that another lacks does not compile.
import type { en } from "./en";

type Widened<T> = {
    [K in keyof T]: T[K] extends string
        ? string
        : T[K] extends ((...given: never[]) => unknown) | undefined
          ? T[K]
          : Widened<T[K]>;
};

export type Words = Widened<typeof en>;
