#pragma once

#include "core/time.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <list>
#include <memory>
#include <optional>

namespace cpm::http {

/// Lets so many through at once and the others wait, first come first served: for work whose
/// memory, times all who may ask for it, would be too much.
///
/// Concurrency: the interface's thread. Must outlive every pass.
class Gate {
  public:
    static constexpr core::seconds kPatience{10};

    Gate(boost::asio::io_context& io, std::size_t places)
        : io_(io)
        , free_(places) {}

    /// A place; gives it back when it goes.
    class Pass {
      public:
        explicit Pass(Gate& gate)
            : gate_(&gate) {}
        Pass(Pass const&) = delete;
        Pass& operator=(Pass const&) = delete;
        ~Pass() { gate_->leave(); }

      private:
        Gate* gate_;
    };

    /// Waits for a place. Null: none came within the patience.
    boost::asio::awaitable<std::unique_ptr<Pass>> enter();

  private:
    struct Waiter {
        boost::asio::steady_timer timer;
        bool has_place = false;
    };

    void leave();

    boost::asio::io_context& io_;
    std::size_t free_;
    std::list<Waiter> waiting_;
};

} // namespace cpm::http
