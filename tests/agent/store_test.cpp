// What the agent keeps in files: whole or not at all, and a doubt is never read as "nothing".
#include "agent/files.hpp"
#include "agent/store.hpp"
#include "tests/agent/files.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <sodium.h>
#include <sys/stat.h>

using namespace cpm::agent;
using namespace cpm::agent::test;

namespace {

Head const kHead{.epoch = 2, .sequence = 90, .hash = "ab", .mac = "cd", .signature = "ef"};

Credentials credentials() {
    // The public key of RFC 8032's first test vector.
    return {
        .manager_url = "http://10.0.0.1:8080",
        .trust = Trust::Plain,
        .ca_certificate = {},
        .server_id = "srv_1",
        .agent_token = "token",
        .previous_token = {},
        .order_key = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
        .mac_addresses = {"52:54:00:00:00:01"},
        .join_id = "first",
    };
}

} // namespace

TEST_CASE("store: a head is there again after a restart, of the same join alone (3.3)") {
    Folder folder;
    CHECK(load_head(folder.path, "first").value() == std::nullopt);
    REQUIRE(save_head(folder.path, "first", kHead).has_value());
    CHECK(load_head(folder.path, "first").value() == kHead);
    CHECK(load_head(folder.path, "second").value() == std::nullopt);
    drop_head(folder.path);
    CHECK(load_head(folder.path, "first").value() == std::nullopt);
}

TEST_CASE("store: a head that cannot be read is never no head (3.3)") {
    Folder folder;
    auto const file = folder.path / "head.json";
    REQUIRE(save_head(folder.path, "first", kHead).has_value());
    auto const whole = read(file);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        write(file, whole.substr(0, size));
        auto const loaded = load_head(folder.path, "first");
        REQUIRE_FALSE(loaded.has_value());
        CHECK(loaded.error().find("head.json") != std::string::npos);
        CHECK(loaded.error().find("join again") != std::string::npos);
    }
    std::filesystem::remove(file);
    std::filesystem::create_symlink("/nonexistent/head", file);
    CHECK_FALSE(load_head(folder.path, "first").has_value());
    std::filesystem::remove(file);
    std::filesystem::create_directory(file);
    CHECK_FALSE(load_head(folder.path, "first").has_value());
}

TEST_CASE("store: what an agent of another join wrote down in /run does not count") {
    Folder folder;
    Marker const marker{
        .memory = {.identity = {"b", 1}, .said = Memory::Said::Acted, .request = 7, .head = kHead},
        .suspended = seconds(3),
    };
    REQUIRE(save_marker(folder.path, "first", marker).has_value());
    auto const again = load_marker(folder.path, "first");
    REQUIRE(again.has_value());
    CHECK(again->memory == marker.memory);
    CHECK(again->suspended == seconds(3));
    CHECK_FALSE(load_marker(folder.path, "second").has_value());
}

TEST_CASE("store: credentials that do not fit together are refused, and say: join again (4)") {
    Folder folder;
    REQUIRE(save_credentials(folder.path, credentials()).has_value());
    REQUIRE(load_credentials(folder.path).has_value());
    CHECK((*load_credentials(folder.path))->join_id == "first");
    struct Row {
        char const* name;
        Trust trust;
        char const* url;
        char const* ca;
    };
    auto constexpr kBroken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (auto const& row : {
             Row{"pinned, but to nothing", Trust::Pinned, "https://m", ""},
             Row{"pinned to what is no certificate", Trust::Pinned, "https://m", "x"},
             Row{"pinned to a broken certificate", Trust::Pinned, "https://m", kBroken},
             Row{"pinned over plain HTTP", Trust::Pinned, "http://m", kBroken},
             Row{"trust over plain HTTP", Trust::System, "http://m", ""},
             Row{"no trust over TLS", Trust::Plain, "https://m", ""},
         }) {
        CAPTURE(row.name);
        auto wrong = credentials();
        wrong.trust = row.trust;
        wrong.manager_url = row.url;
        wrong.ca_certificate = row.ca;
        REQUIRE(save_credentials(folder.path, wrong).has_value());
        auto const loaded = load_credentials(folder.path);
        REQUIRE_FALSE(loaded.has_value());
        CHECK(loaded.error().find("join again") != std::string::npos);
    }
}

TEST_CASE("files: what was planted where a file is drafted is not written through") {
    Folder folder;
    auto const file = folder.path / "state.json";
    auto const draft = folder.path / "state.json.new";
    auto const victim = folder.path / "victim";
    write(victim, "whole");
    std::filesystem::create_symlink(victim, draft);
    REQUIRE(write_file(file, "one", Durability::Volatile).has_value());
    CHECK(read(file) == "one");
    std::filesystem::create_hard_link(victim, draft);
    REQUIRE(write_file(file, "two", Durability::Durable).has_value());
    CHECK(read(file) == "two");
    CHECK(read(victim) == "whole");
    REQUIRE(::mkfifo(draft.c_str(), 0600) == 0); // writing it would wait for ever
    REQUIRE(write_file(file, "three", Durability::Durable).has_value());
    CHECK(read(file) == "three");
    struct stat status {};
    REQUIRE(::stat(file.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    std::filesystem::create_directory(draft);
    CHECK_FALSE(write_file(file, "four", Durability::Durable).has_value());
    CHECK(read(file) == "three");
}
