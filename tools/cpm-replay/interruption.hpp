#pragma once

#include <filesystem>

namespace cpm::replay {

// Stopping in an orderly way: RocksDB keeps a scratch directory for as long as the log is open.

/// From now on SIGINT, SIGTERM and SIGHUP only ask to stop, and a reader of the output that went
/// away is seen by write(), not by SIGPIPE.
void stop_on_signals();
bool stop_requested();
/// Ends the process as the signal would have; returns when there was none.
void die_of_signal();

/// Tells when files of a directory change.
class Watch {
  public:
    explicit Watch(std::filesystem::path const& directory);
    ~Watch();
    Watch(Watch const&) = delete;
    Watch& operator=(Watch const&) = delete;

    /// Returns after a change since the last call, a signal, or a second (a file system of another
    /// machine tells nothing).
    void wait();

  private:
    int inotify_;
};

} // namespace cpm::replay
