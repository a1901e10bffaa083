#include "http/password_pool.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <sodium.h>
#include <stdexcept>

namespace cpm::http {
namespace {

namespace asio = boost::asio;

constexpr auto kOperations = crypto_pwhash_OPSLIMIT_INTERACTIVE;
constexpr auto kMemory = crypto_pwhash_MEMLIMIT_INTERACTIVE; ///< 64 MiB

// A hash of these limits that no password has been hashed to: what is looked at in the place of a
// user that does not exist takes as long.
constexpr auto kNobodys = "$argon2id$v=19$m=65536,t=2,p=1$Y3BtIG5vYm9keSdzIHNhbHQ$"
                          "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Verifies on one of the pool's threads.
struct Verify {
    std::string hash;
    std::string password;

    bool operator()() {
        auto const* const stored = hash.empty() ? kNobodys : hash.c_str();
        bool const right = crypto_pwhash_str_verify(stored, password.data(), password.size()) == 0;
        sodium_memzero(password.data(), password.size());
        return right && !hash.empty();
    }
};

struct Hash {
    std::string password;

    std::string operator()() {
        std::array<char, crypto_pwhash_STRBYTES> text{};
        int const failed =
            crypto_pwhash_str(text.data(), password.data(), password.size(), kOperations, kMemory);
        sodium_memzero(password.data(), password.size());
        return failed ? std::string() : std::string(text.data());
    }
};

/// Does the work on the pool and brings its result back to the coroutine that waits.
template <class Work>
struct Start {
    asio::io_context* io;
    asio::thread_pool* threads;

    template <class Handler>
    void operator()(Handler handler, Work work) const {
        auto task = [io = io, handler = std::move(handler), work = std::move(work)]() mutable {
            auto resume = [handler = std::move(handler), result = work()]() mutable {
                std::move(handler)(std::move(result));
            };
            asio::post(*io, std::move(resume));
        };
        asio::post(*threads, std::move(task));
    }
};

template <class Result, class Work>
asio::awaitable<Result> run(asio::io_context& io, asio::thread_pool& threads, Work work) {
    Start<Work> start{&io, &threads};
    co_return co_await asio::async_initiate<asio::use_awaitable_t<> const, void(Result)>(
        start, asio::use_awaitable, std::move(work)
    );
}

/// One of the places before the pool.
struct Place {
    explicit Place(std::size_t& count)
        : waiting(count) {
        ++waiting;
    }
    ~Place() { --waiting; }
    Place(Place const&) = delete;

    std::size_t& waiting;
};

core::Error too_many() {
    core::Error error{
        core::ErrorCode::Throttled, "too many passwords are being checked; try again in a moment"};
    error.remaining_seconds = 1;
    return error;
}

} // namespace

PasswordPool::PasswordPool(asio::io_context& io)
    : io_(io) {
    if (sodium_init() < 0)
        throw std::runtime_error("libsodium cannot be initialised");
}

PasswordPool::~PasswordPool() {
    threads_.join();
}

asio::awaitable<core::Result<bool>> PasswordPool::verify(std::string hash, std::string password) {
    if (waiting_ >= kMaxWaiting)
        co_return tl::make_unexpected(too_many());
    Place const place(waiting_);
    Verify work{std::move(hash), std::move(password)};
    co_return co_await run<bool>(io_, threads_, std::move(work));
}

asio::awaitable<core::Result<std::string>> PasswordPool::hash(std::string password) {
    if (waiting_ >= kMaxWaiting)
        co_return tl::make_unexpected(too_many());
    Place const place(waiting_);
    Hash work{std::move(password)};
    auto text = co_await run<std::string>(io_, threads_, std::move(work));
    if (text.empty())
        co_return core::fail(core::ErrorCode::Storage, "there is no memory to hash a password");
    co_return text;
}

} // namespace cpm::http
