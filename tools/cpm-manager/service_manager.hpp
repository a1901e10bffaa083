#pragma once

#include "core/time.hpp"

#include <string>
#include <string_view>

namespace cpm::tools {

/// Tells systemd, where it started the manager, how the manager is (sd_notify(3)); elsewhere it
/// does nothing.
///
/// Concurrency: feed() on one thread, the rest on any.
class ServiceManager {
  public:
    /// Reads the environment systemd gives (NOTIFY_SOCKET, WATCHDOG_USEC).
    ServiceManager();

    /// The manager serves; `status` is a line for `systemctl status`.
    void ready(std::string_view status) const;
    void status(std::string_view status) const;
    void stopping() const;

    /// The watchdog is told that all is well, as often as it wants to hear. Whoever calls this is
    /// what the watchdog watches.
    void feed(core::MonoTime now);

  private:
    core::MonoClock::duration feed_every_{}; ///< zero: there is no watchdog
    core::MonoTime fed_{};
};

} // namespace cpm::tools
