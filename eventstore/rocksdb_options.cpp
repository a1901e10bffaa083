#include "eventstore/rocksdb_options.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>

namespace cpm::eventstore {
namespace {

constexpr std::size_t kMiB = 1024 * 1024;
/// Of entries of a table: when half of it are deletions, the table is written anew.
constexpr std::size_t kWindow = 1024;

rocksdb::DBOptions common_options() {
    rocksdb::DBOptions options;
    // RocksDB's own log: warnings only, and little of it, or it grows beside ours for ever.
    options.info_log_level = rocksdb::WARN_LEVEL;
    options.max_log_file_size = kMiB;
    options.keep_log_file_num = 3;
    // Nobody reads these; they wake the disk.
    options.stats_dump_period_sec = 0;
    options.stats_persist_period_sec = 0;
    // The default, kPointInTimeRecovery, silently drops acknowledged records behind any flipped
    // bit. This one forgives only a torn tail, and whether that tail was acknowledged the head
    // witness knows.
    options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
    // Old records in a reused file would look like a damaged tail.
    options.recycle_log_file_num = 0;
    // Damage is an error when it is seen, not when it is too late.
    options.paranoid_checks = true;
    return options;
}

} // namespace

rocksdb::DBOptions writer_options(bool create, Database::Recovery recovery) {
    auto options = common_options();
    // Only a first start creates: a database that went missing must not be replaced by an empty
    // one.
    options.create_if_missing = create;
    // A first start that was killed may have left some out.
    options.create_missing_column_families = true;
    if (recovery == Database::Recovery::Salvage)
        options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
    // After a failed write nothing is certain: the process ends instead of going on as if it had
    // not been.
    options.max_bgerror_resume_count = 0;
    // Bounds what a start must replay, and with it the time it takes.
    options.max_total_wal_size = 64 * kMiB;
    options.max_manifest_file_size = 16 * kMiB;
    // A start does not open each of thousands of files to count its entries.
    options.skip_stats_update_on_db_open = true;
    // Some 64 MiB a file: a month of a large fleet would need thousands of descriptors, most of
    // them never read.
    options.max_open_files = 256;
    // A flush and a compaction; the machine has other work.
    options.max_background_jobs = 2;
    return options;
}

rocksdb::DBOptions reader_options() {
    auto options = common_options();
    // It must hold its files open: the writer may delete them.
    options.max_open_files = -1;
    return options;
}

std::shared_ptr<rocksdb::Cache> new_block_cache() {
    // One for all families: reads of the log are rare and in order, and the manager runs on small
    // machines too.
    return rocksdb::NewLRUCache(32 * kMiB);
}

rocksdb::ColumnFamilyOptions
family_options(ColumnFamily family, std::shared_ptr<rocksdb::Cache> const& cache) {
    rocksdb::ColumnFamilyOptions options;
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = cache;
    // Otherwise the indexes of all open files are held beside the cache, without a bound.
    table.cache_index_and_filter_blocks = true;
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    bool const grows_fast = family == ColumnFamily::Log || family == ColumnFamily::ByServer;
    // What was compacted away gives its space back when its tables are written anew, which nothing
    // else would bring about: new events never touch the keys of old ones. (The index by server
    // needs no such help, and would be written anew as a whole.)
    if (family == ColumnFamily::Log)
        options.table_properties_collector_factories.push_back(
            rocksdb::NewCompactOnDeletionCollectorFactory(kWindow, kWindow / 2)
        );
    options.write_buffer_size = (grows_fast ? 8 : 2) * kMiB;
    // Bounds what a compaction writes before it deletes what it read, some 64 MiB: it has to fit
    // into the last reserve of the disk.
    options.max_bytes_for_level_base = 32 * kMiB;
    options.target_file_size_base = 16 * kMiB;
    options.max_compaction_bytes = 32 * kMiB;
    // A new table file is read back before the write-ahead log that it replaces is deleted.
    options.paranoid_file_checks = true;
    return options;
}

rocksdb::WriteOptions durable() {
    rocksdb::WriteOptions options;
    // The default answers before the disk has it.
    options.sync = true;
    return options;
}

} // namespace cpm::eventstore
