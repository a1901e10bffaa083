#include "manager/keys.hpp"

#include <fmt/format.h>

#include <cstring>
#include <fcntl.h>
#include <sodium.h>
#include <span>
#include <unistd.h>
#include <vector>

namespace cpm::manager {
namespace {

namespace fs = std::filesystem;

std::string base64(std::span<unsigned char const> bytes) {
    constexpr int kVariant = sodium_base64_VARIANT_ORIGINAL;
    std::string text(sodium_base64_encoded_len(bytes.size(), kVariant), '\0');
    sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), kVariant);
    text.pop_back(); // its terminating zero
    return text;
}

core::Error broken(fs::path const& file, std::string_view what) {
    return {
        core::ErrorCode::Storage,
        fmt::format(
            "{}: {}; restore it from the backup of this data directory", file.string(), what
        )};
}

core::Result<void> read_key(fs::path const& file, std::span<unsigned char> key) {
    int const fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return tl::make_unexpected(broken(file, std::strerror(errno)));
    std::vector<unsigned char> bytes(key.size() + 1);
    auto const size = ::read(fd, bytes.data(), bytes.size());
    ::close(fd);
    if (size != static_cast<ssize_t>(key.size()))
        return tl::make_unexpected(broken(file, fmt::format("is not a key of {} bytes", key.size()))
        );
    std::memcpy(key.data(), bytes.data(), key.size());
    return {};
}

/// Durable before it is used: a key that an agent was told must not be lost by a power cut.
core::Result<void> write_key(fs::path const& file, std::span<unsigned char const> key) {
    auto const draft = fs::path(file).concat(".new");
    int const fd = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool fine = fd >= 0 &&
                ::write(fd, key.data(), key.size()) == static_cast<ssize_t>(key.size()) &&
                ::fsync(fd) == 0;
    if (fd >= 0)
        ::close(fd);
    fine = fine && ::rename(draft.c_str(), file.c_str()) == 0;
    int const folder = ::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fine = fine && folder >= 0 && ::fsync(folder) == 0;
    if (folder >= 0)
        ::close(folder);
    if (!fine)
        return core::fail(
            core::ErrorCode::Storage,
            fmt::format("{}: cannot be written: {}", file.string(), std::strerror(errno))
        );
    return {};
}

template <class Make>
core::Result<void> load_or_make(fs::path const& file, std::span<unsigned char> key, Make make) {
    if (fs::exists(file))
        return read_key(file, key);
    make();
    return write_key(file, key);
}

} // namespace

core::Result<Keys> Keys::load(fs::path const& data_directory) {
    if (sodium_init() < 0)
        return core::fail(core::ErrorCode::Storage, "libsodium cannot find a source of randomness");
    auto const folder = data_directory / "keys";
    std::error_code error;
    fs::create_directories(folder, error);
    if (!error)
        fs::permissions(folder, fs::perms::owner_all, error);
    if (error)
        return core::fail(
            core::ErrorCode::Storage, fmt::format("{}: {}", folder.string(), error.message())
        );
    Keys keys;
    std::array<unsigned char, crypto_sign_PUBLICKEYBYTES> order_public{};
    auto const make_order = [&] {
        crypto_sign_keypair(order_public.data(), keys.order_secret_.data());
    };
    if (auto done = load_or_make(folder / "order.key", keys.order_secret_, make_order); !done)
        return tl::make_unexpected(done.error());
    crypto_sign_ed25519_sk_to_pk(order_public.data(), keys.order_secret_.data());
    keys.order_key_ = base64(order_public);

    auto const make_witness = [&] {
        randombytes_buf(keys.witness_secret_.data(), keys.witness_secret_.size());
    };
    if (auto done = load_or_make(folder / "witness.key", keys.witness_secret_, make_witness); !done)
        return tl::make_unexpected(done.error());
    return keys;
}

std::string order_text(core::Order const& order) {
    return fmt::format(
        "cpm-order-v1\n{}\n{}\n{}\n{}\n{}\n{}\n",
        to_string(order.server),
        to_string(order.identity.boot_id),
        order.identity.resume_count,
        order.nonce,
        order.request.value,
        to_string(order.method)
    );
}

std::string Keys::sign(core::Order const& order) const {
    auto const text = order_text(order);
    std::array<unsigned char, crypto_sign_BYTES> signature;
    crypto_sign_detached(
        signature.data(),
        nullptr,
        reinterpret_cast<unsigned char const*>(text.data()),
        text.size(),
        order_secret_.data()
    );
    return base64(signature);
}

std::string Keys::witness_mac(eventstore::Head const& head) const {
    auto const text = fmt::format(
        "cpm-head-v1\n{}\n{}\n{:02x}\n", head.epoch, head.sequence.value, fmt::join(head.hash, "")
    );
    std::array<unsigned char, crypto_auth_BYTES> mac;
    crypto_auth(
        mac.data(),
        reinterpret_cast<unsigned char const*>(text.data()),
        text.size(),
        witness_secret_.data()
    );
    return base64(mac);
}

} // namespace cpm::manager
