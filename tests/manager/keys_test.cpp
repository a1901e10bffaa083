// The manager's keys (HTTP 3.3): who holds the public half can check every order.
#include "manager/keys.hpp"
#include "tests/eventstore/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <sodium.h>
#include <sys/stat.h>

using namespace cpm;
using namespace cpm::manager;
namespace fs = std::filesystem;

namespace {

unsigned mode(fs::path const& path) {
    struct stat info {};
    REQUIRE(::stat(path.c_str(), &info) == 0);
    return info.st_mode & 07777;
}

std::string text_of(fs::path const& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write(fs::path const& path, std::string const& text) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

std::vector<unsigned char> from_base64(std::string const& text) {
    std::vector<unsigned char> bytes(text.size());
    std::size_t size = 0;
    REQUIRE(
        sodium_base642bin(
            bytes.data(),
            bytes.size(),
            text.data(),
            text.size(),
            nullptr,
            &size,
            nullptr,
            sodium_base64_VARIANT_ORIGINAL
        ) == 0
    );
    bytes.resize(size);
    return bytes;
}

core::Order an_order() {
    core::Order order;
    order.method = core::OffMethod::Suspend;
    order.server = {0xab};
    order.identity = {*core::parse_boot_id("0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"), 7};
    order.nonce = "AAECAwQFBgcICQoLDA0ODw";
    order.request = {4711};
    return order;
}

constexpr std::string_view kLines = "cpm-order-v1\n"
                                    "srv_00000000000000ab\n"
                                    "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0\n"
                                    "7\n"
                                    "AAECAwQFBgcICQoLDA0ODw\n"
                                    "4711\n"
                                    "suspend\n";

bool verifies(std::string const& key, std::string const& signature, std::string_view text) {
    auto const public_key = from_base64(key);
    auto const bytes = from_base64(signature);
    REQUIRE(public_key.size() == crypto_sign_PUBLICKEYBYTES);
    REQUIRE(bytes.size() == crypto_sign_BYTES);
    return crypto_sign_verify_detached(
               bytes.data(),
               reinterpret_cast<unsigned char const*>(text.data()),
               text.size(),
               public_key.data()
           ) == 0;
}

} // namespace

TEST_CASE("keys: are made at the first start for nobody else to read, and kept (2.2)") {
    TemporaryDirectory directory;
    auto const first = Keys::load(directory.path(), Keys::Missing::Make);
    REQUIRE(first);
    auto const folder = directory.path() / "keys";
    CHECK(mode(folder) == 0700);
    CHECK(mode(folder / "order.key") == 0600);
    CHECK(mode(folder / "witness.key") == 0600);
    CHECK(std::distance(fs::directory_iterator(folder), {}) == 2);

    auto const again = Keys::load(directory.path(), Keys::Missing::Make);
    REQUIRE(again);
    CHECK(again->order_key() == first->order_key());
    CHECK(again->sign(an_order()) == first->sign(an_order()));
    eventstore::Head const head{1, {7}, {}};
    CHECK(again->witness_mac(head) == first->witness_mac(head));

    TemporaryDirectory other;
    CHECK(Keys::load(other.path(), Keys::Missing::Make)->order_key() != first->order_key());
}

TEST_CASE("keys: a signature is over the lines of the contract, by the key agents hold (3.3)") {
    TemporaryDirectory directory;
    auto const keys = Keys::load(directory.path(), Keys::Missing::Make);
    REQUIRE(keys);
    CHECK(order_text(an_order()) == kLines);
    auto const signature = keys->sign(an_order());
    CHECK(verifies(keys->order_key(), signature, kLines));
    for (std::size_t i = 0; i < kLines.size(); ++i) {
        std::string changed(kLines);
        changed[i] = char(changed[i] ^ 1);
        CHECK_FALSE(verifies(keys->order_key(), signature, changed));
    }
    TemporaryDirectory other;
    CHECK_FALSE(
        verifies(Keys::load(other.path(), Keys::Missing::Make)->order_key(), signature, kLines)
    );
}

TEST_CASE("keys: the methods are written as the contract says (3.3)") {
    auto order = an_order();
    order.method = core::OffMethod::PowerOff;
    CHECK(order_text(order).ends_with("\n4711\npoweroff\n"));
    order.method = core::OffMethod::Hibernate;
    CHECK(order_text(order).ends_with("\n4711\nhibernate\n"));
}

TEST_CASE("keys: the MAC of a head depends on all of it and on the key (3.3)") {
    TemporaryDirectory directory;
    auto const keys = Keys::load(directory.path(), Keys::Missing::Make);
    eventstore::Head const head{1, {7}, {}};
    auto epoch = head;
    epoch.epoch = 2;
    auto sequence = head;
    sequence.sequence = {8};
    auto hash = head;
    hash.hash[31] = 1;
    auto const mac = keys->witness_mac(head);
    CHECK(from_base64(mac).size() == 32);
    for (auto const& changed : {epoch, sequence, hash})
        CHECK(keys->witness_mac(changed) != mac);
    TemporaryDirectory other;
    CHECK(Keys::load(other.path(), Keys::Missing::Make)->witness_mac(head) != mac);
}

TEST_CASE("keys: a head's signature is over the lines of the contract, by the order key (3.3)") {
    TemporaryDirectory directory;
    auto const keys = Keys::load(directory.path(), Keys::Missing::Make);
    eventstore::Head head{2, {71}, {}};
    head.hash[0] = 0xab;
    auto const lines = "cpm-head-v1\n2\n71\nab" + std::string(62, '0') + "\n";
    auto const signature = keys->sign(head);
    CHECK(verifies(keys->order_key(), signature, lines));
    for (std::size_t i = 0; i < lines.size(); ++i) {
        auto changed = lines;
        changed[i] = char(changed[i] ^ 1);
        CHECK_FALSE(verifies(keys->order_key(), signature, changed));
    }
}

TEST_CASE("keys: a file that is not a key is refused, named, and left as it is (2.2)") {
    for (char const* name : {"order.key", "witness.key"}) {
        TemporaryDirectory directory;
        REQUIRE(Keys::load(directory.path(), Keys::Missing::Make));
        auto const file = directory.path() / "keys" / name;
        auto const whole = text_of(file);
        for (auto const& broken : {std::string(), whole.substr(1), whole + "x"}) {
            write(file, broken);
            auto const loaded = Keys::load(directory.path(), Keys::Missing::Make);
            REQUIRE_FALSE(loaded);
            CHECK(loaded.error().code == core::ErrorCode::Storage);
            CHECK(loaded.error().detail.find(file.string()) != std::string::npos);
            CHECK(text_of(file) == broken);
        }
        write(file, whole);
        CHECK(Keys::load(directory.path(), Keys::Missing::Make));
    }
}

TEST_CASE("keys: one of which a bit flipped is refused: no agent would obey it, no witness count "
          "(2.2)") {
    for (char const* name : {"order.key", "witness.key"}) {
        TemporaryDirectory directory;
        REQUIRE(Keys::load(directory.path(), Keys::Missing::Make));
        auto const file = directory.path() / "keys" / name;
        auto const whole = text_of(file);
        for (std::size_t i = 0; i < whole.size(); ++i) {
            auto broken = whole;
            broken[i] = char(broken[i] ^ 0x10);
            write(file, broken);
            CHECK_FALSE_MESSAGE(
                Keys::load(directory.path(), Keys::Missing::Make), name << ", byte " << i
            );
        }
    }
}

TEST_CASE("keys: a witness key that an earlier version wrote, without its hash, still counts (2.2)"
) {
    TemporaryDirectory directory;
    auto const made = Keys::load(directory.path(), Keys::Missing::Make);
    REQUIRE(made);
    auto const file = directory.path() / "keys" / "witness.key";
    write(file, text_of(file).substr(0, 32));
    auto const loaded = Keys::load(directory.path(), Keys::Missing::Refuse);
    REQUIRE(loaded);
    eventstore::Head const head{.epoch = 3, .sequence = {4711}, .hash = {}};
    CHECK(loaded->witness_mac(head) == made->witness_mac(head));
}

TEST_CASE("keys: what cannot be read for another reason is never made anew (2.2)") {
    TemporaryDirectory directory;
    REQUIRE(Keys::load(directory.path(), Keys::Missing::Make));
    auto const file = directory.path() / "keys" / "order.key";
    fs::remove(file);
    fs::create_symlink("order.key", file); // a loop: neither there nor absent
    auto const loaded = Keys::load(directory.path(), Keys::Missing::Make);
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().detail.find(file.string()) != std::string::npos);
    CHECK(fs::is_symlink(file));
}

TEST_CASE("keys: a draft that a power cut left does not matter (2.2)") {
    TemporaryDirectory directory;
    fs::create_directories(directory.path() / "keys");
    write(directory.path() / "keys" / "order.key.new", "half a key"); // for all to read
    auto const keys = Keys::load(directory.path(), Keys::Missing::Make);
    REQUIRE(keys);
    CHECK(verifies(keys->order_key(), keys->sign(an_order()), kLines));
    CHECK(mode(directory.path() / "keys" / "order.key") == 0600);
}

TEST_CASE("keys: one that is missing beside a log that is not new is refused, and not made (2.2)") {
    TemporaryDirectory directory;
    REQUIRE(Keys::load(directory.path(), Keys::Missing::Make));
    for (auto const* name : {"order.key", "witness.key"}) {
        auto const file = directory.path() / "keys" / name;
        auto const aside = directory.path() / name;
        std::filesystem::rename(file, aside);
        auto const loaded = Keys::load(directory.path(), Keys::Missing::Refuse);
        REQUIRE_FALSE(loaded);
        CHECK(loaded.error().detail.find(name) != std::string::npos);
        CHECK_FALSE(std::filesystem::exists(file));
        std::filesystem::rename(aside, file);
        CHECK(Keys::load(directory.path(), Keys::Missing::Refuse));
    }
}
