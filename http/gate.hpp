#pragma once

#include "core/time.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <string>

namespace cpm::http {

/// Lets a few through at once and makes the others wait: for work whose memory, times all who may
/// ask for it, would be too much.
///
/// Operation: one caller has at most half of the places, and a place that becomes free goes to the
/// caller who has the fewest, of several to the first that came. So whoever asks for much at once
/// keeps nobody else waiting for longer than one piece of work takes.
///
/// Concurrency: the interface's thread. Must outlive every pass.
class Gate {
  public:
    static constexpr core::seconds kPatience{10};

    Gate(boost::asio::io_context& io, std::size_t places)
        : io_(io)
        , free_(places)
        , most_of_one_(std::max<std::size_t>(places / 2, 1)) {}

    /// A place; gives it back when it goes.
    class Pass {
      public:
        Pass(Gate& gate, std::string caller)
            : gate_(&gate)
            , caller_(std::move(caller)) {}
        Pass(Pass const&) = delete;
        Pass& operator=(Pass const&) = delete;
        ~Pass() { gate_->leave(caller_); }

      private:
        Gate* gate_;
        std::string caller_;
    };

    /// Waits for a place. Null: none came within the patience.
    boost::asio::awaitable<std::unique_ptr<Pass>> enter(std::string caller);

  private:
    struct Waiter {
        std::string caller;
        boost::asio::steady_timer timer;
        bool has_place = false;
    };

    std::size_t held_by(std::string const& caller) const;
    void leave(std::string const& caller);
    void let_in();

    boost::asio::io_context& io_;
    std::size_t free_;
    std::size_t most_of_one_;
    std::map<std::string, std::size_t> held_; ///< how many places each caller has, if any
    std::list<Waiter> waiting_;               ///< in the order they came
};

} // namespace cpm::http
