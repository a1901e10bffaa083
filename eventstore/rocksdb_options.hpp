#pragma once

#include "eventstore/rocksdb_database.hpp"

#include <memory>

namespace rocksdb {
class Cache;
struct ColumnFamilyOptions;
struct DBOptions;
struct WriteOptions;
} // namespace rocksdb

namespace cpm::eventstore {

// RocksDB's settings, each with its reason: the defaults are wrong for a log.

rocksdb::DBOptions writer_options(bool create, Database::Recovery recovery);
rocksdb::DBOptions reader_options();
std::shared_ptr<rocksdb::Cache> new_block_cache();
rocksdb::ColumnFamilyOptions
family_options(ColumnFamily family, std::shared_ptr<rocksdb::Cache> const& cache);
rocksdb::WriteOptions durable();

} // namespace cpm::eventstore
