#pragma once

#include "core/ids.hpp"
#include "core/time.hpp"
#include "manager/publication.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <unordered_map>

namespace cpm::http {

/// Why a held manifest call goes on.
enum class WaitResult : std::uint8_t {
    Touched,  ///< something about the server or all servers became another: look again
    Ended,    ///< its agent was revoked or replaced, or the server removed: answer 401 or 410 now
    Stopping, ///< the manager stops: answer now
    TimedOut,
};

/// The held GET /agent/v1/manifest calls (HTTP 3.3), and whatever else waits for news of a server.
///
/// Operation: a batch touches every server that has an event in it or is asked to wake others; a
/// change of settings and an accepted rollback touch all. An agent's own heartbeat touches its
/// server, too: compare what the manifest says, and wait again.
///
/// Concurrency: the interface's thread.
class ManifestWaiters {
  public:
    explicit ManifestWaiters(boost::asio::io_context& io);

    /// Waits until something happens, at most `limit`. What happened before the call is not
    /// reported: look at the model first, without a co_await between.
    boost::asio::awaitable<WaitResult> wait(core::ServerId server, core::milliseconds limit);

    void on_published(manager::Publication const& publication);
    void touch_all();
    /// From now on every call ends at once.
    void stop();

  private:
    struct Waiter {
        boost::asio::steady_timer timer;
        WaitResult result = WaitResult::TimedOut;
    };
    using Waiters = std::unordered_multimap<core::ServerId, Waiter*>;
    class Registration {
      public:
        Registration(Waiters& waiters, core::ServerId server, Waiter& waiter);
        ~Registration();
        Registration(Registration const&) = delete;

      private:
        Waiters& waiters_;
        Waiters::iterator at_;
    };
    static void wake(Waiter& waiter, WaitResult result);

    boost::asio::io_context& io_;
    Waiters waiters_;
    bool stopping_ = false;
};

} // namespace cpm::http
