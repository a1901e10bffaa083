// The files of snapshots: what is written is read, and whatever else became of them is noticed
// (event log 2.3).
#include "eventstore/snapshot_store.hpp"
#include "tests/eventstore/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <fstream>

using namespace cpm;
using namespace cpm::eventstore;

namespace {

namespace fs = std::filesystem;
using Sequences = std::vector<core::Sequence>;

Snapshot snapshot(std::uint64_t sequence, std::string content = "content") {
    core::Hash hash{};
    hash[31] = std::uint8_t(sequence);
    core::Hash fold{};
    fold[0] = 9;
    return {{3, {sequence}, hash}, fold, std::move(content)};
}

std::string bytes_of(fs::path const& path) {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
}

void put(fs::path const& path, std::string_view bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

/// One that is not as it was written: refused, with a reason.
bool is_noticed(SnapshotStore const& store, core::Sequence sequence) {
    auto const read = store.read(sequence);
    return !read && read.error().code == core::ErrorCode::Corrupt && !read.error().detail.empty();
}

struct Files {
    TemporaryDirectory data;
    SnapshotStore store{data.path()};
    fs::path path(std::string const& name) const { return data.path() / "snapshots" / name; }
};

} // namespace

TEST_CASE("snapshots: what is written is read, byte for byte (2.3)") {
    Files files;
    CHECK(files.store.list().empty());
    auto const written = snapshot(7, std::string("con\0tent", 8));
    REQUIRE(files.store.write(written));
    CHECK(files.store.list() == Sequences{{7}});
    auto const read = files.store.read({7});
    REQUIRE(read);
    CHECK(read->head == written.head);
    CHECK(read->fold == written.fold);
    CHECK(read->content == written.content);
    REQUIRE(files.store.write(snapshot(8, "")));
    CHECK(files.store.read({8})->content.empty());
}

TEST_CASE("snapshots: the newest two stay, and none that would come after the newest (2.3)") {
    Files files;
    for (auto const sequence : {100, 9, 20, 10})
        REQUIRE(files.store.write(snapshot(std::uint64_t(sequence))));
    CHECK(files.store.list() == Sequences{{10}, {9}});
    REQUIRE(files.store.write(snapshot(1000)));
    CHECK(files.store.list() == Sequences{{1000}, {10}});
    files.store.remove_all();
    CHECK(files.store.list().empty());
    CHECK(files.store.read({1000}).error().code == core::ErrorCode::Storage);
}

TEST_CASE("snapshots: each flipped bit and each missing byte is noticed (2.3)") {
    Files files;
    REQUIRE(files.store.write(snapshot(7, "some content")));
    auto const path = files.path("00000000000000000007");
    auto const whole = bytes_of(path);
    for (std::size_t i = 0; i < whole.size(); ++i)
        for (int bit = 0; bit < 8; ++bit) {
            auto damaged = whole;
            damaged[i] = char(damaged[i] ^ (1 << bit));
            put(path, damaged);
            CHECK_MESSAGE(is_noticed(files.store, {7}), "byte " << i << ", bit " << bit);
        }
    for (std::size_t size = 0; size < whole.size(); ++size) {
        put(path, std::string_view(whole).substr(0, size));
        CHECK_MESSAGE(is_noticed(files.store, {7}), "cut to " << size);
    }
    put(path, whole + "x");
    CHECK(is_noticed(files.store, {7}));
    put(path, whole);
    CHECK(files.store.read({7}));
}

TEST_CASE("snapshots: one under another's name is noticed; what is none is no snapshot (2.3)") {
    Files files;
    REQUIRE(files.store.write(snapshot(7)));
    fs::copy(files.path("00000000000000000007"), files.path("00000000000000000008"));
    for (auto const* name : {"new", "7", "0000000000000000000x", "99999999999999999999", "README"})
        put(files.path(name), "");
    CHECK(files.store.list() == Sequences{{8}, {7}});
    CHECK(is_noticed(files.store, {8}));
    CHECK(files.store.read({7}));
}

TEST_CASE("snapshots: one that cannot be written leaves the others as they were (2.3)") {
    Files files;
    REQUIRE(files.store.write(snapshot(7)));
    fs::create_directory(files.path("new")); // in the place of the draft
    auto const written = files.store.write(snapshot(8));
    REQUIRE_FALSE(written);
    CHECK(written.error().code == core::ErrorCode::Storage);
    CHECK(files.store.list() == Sequences{{7}});
    CHECK(files.store.read({7}));
}
