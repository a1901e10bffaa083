#pragma once

#include <cstdint>
#include <termios.h>

namespace cpm::replay {

enum class Key : std::uint8_t {
    Next,
    Previous,
    NextChange,     ///< to the next change of status
    PreviousChange, ///< to the one before
    First,
    Last,
    Redraw, ///< the terminal has another size
    Quit,
    Other,
};

/// A terminal that gives each key at once and shows none of them. As it was when this is destroyed.
class Keyboard {
  public:
    /// Whether somebody sits at both ends: standard input and output are terminals.
    static bool is_there();

    Keyboard();
    ~Keyboard();
    Keyboard(Keyboard const&) = delete;
    Keyboard& operator=(Keyboard const&) = delete;

    /// Waits for a key. Quit at the end of the input and when a signal asks to stop.
    Key read();

  private:
    termios before_{};
};

} // namespace cpm::replay
