// bench_append DIRECTORY SECONDS: synced appends a second of a bare RocksDB, one record each of a
// heartbeat's size: what the disk gives a log that does nothing else.
#include <rocksdb/db.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

int main(int argc, char** argv) {
    if (argc != 3)
        return 2;
    rocksdb::Options options;
    options.create_if_missing = true;
    rocksdb::DB* opened = nullptr;
    if (!rocksdb::DB::Open(options, argv[1], &opened).ok())
        return 1;
    std::unique_ptr<rocksdb::DB> const database(opened);
    rocksdb::WriteOptions synced;
    synced.sync = true;
    std::string const value(250, 'v');

    using Clock = std::chrono::steady_clock;
    auto const began = Clock::now();
    auto const seconds = std::chrono::seconds(std::atoi(argv[2]));
    std::uint64_t count = 0;
    for (; Clock::now() - began < seconds; ++count) {
        std::string key(8, '\0');
        for (int i = 0; i < 8; ++i)
            key[static_cast<std::size_t>(i)] = static_cast<char>(count >> (56 - 8 * i));
        if (!database->Put(synced, key, value).ok())
            return 1;
    }
    std::printf(
        "%.0f\n",
        static_cast<double>(count) / std::chrono::duration<double>(Clock::now() - began).count()
    );
    return 0;
}
