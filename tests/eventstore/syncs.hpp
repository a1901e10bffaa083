#pragma once

#include <functional>

// This program's own fsync and fdatasync, which RocksDB meets too: the dynamic linker finds those
// of a program before the C library's.

/// Where power cuts do not matter: nothing is synced from now on, which is fast.
void leave_out_syncs();

/// The n-th sync from now (from 1) fails with EIO and syncs nothing; with `for_good` each one after
/// it too. 0: none.
void fail_sync(int n, bool for_good);

/// How many failed so.
int failed_syncs();

/// Does the syncing instead, on whichever thread asks for it; none: the kernel again. Not while
/// other threads sync.
void sync_by(std::function<void(int fd)> watcher);
