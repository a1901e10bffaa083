#pragma once

#include "core/result.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include <cstddef>
#include <string>

namespace cpm::http {

/// Argon2id (libsodium, 64 MiB a hash) on two threads of its own: a hash takes some 0.2 s, and the
/// interface's thread must not stop for it (HTTP 3.5).
///
/// Concurrency: the interface's thread calls it. Limitation: at most kMaxWaiting at once; one more
/// fails with Throttled.
class PasswordPool {
  public:
    static constexpr std::size_t kThreads = 2;
    static constexpr std::size_t kMaxWaiting = 16;

    explicit PasswordPool(boost::asio::io_context& io);
    /// Waits for the hashes under way.
    ~PasswordPool();

    /// Whether this is the password of a stored hash. For an empty hash (there is no such user, or
    /// the user may not sign in) it takes as long and is false: the time does not tell whether a
    /// name exists.
    boost::asio::awaitable<core::Result<bool>> verify(std::string hash, std::string password);

    /// The hash to store for a new password.
    boost::asio::awaitable<core::Result<std::string>> hash(std::string password);

  private:
    boost::asio::io_context& io_;
    std::size_t waiting_ = 0;
    boost::asio::thread_pool threads_{kThreads};
};

} // namespace cpm::http
