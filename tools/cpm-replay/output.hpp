#pragma once

#include "core/status.hpp"
#include "tools/cpm-replay/options.hpp"

#include <boost/json/object.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cpm::replay {

/// What standard output can show.
struct Screen {
    std::size_t width = 0; ///< the terminal's columns; 0: no terminal, no limit
    bool color = false;
};

Screen standard_output(bool no_color);

/// Writes to standard output. False when nobody reads it any more (`… | head`), or it cannot be
/// written: stop.
bool write(std::string_view text);
/// Sends on what is still buffered; called before waiting and at the end.
bool flush_output();
/// What went wrong when standard output was written, as errno has it; 0: nothing, or its reader
/// went away.
int output_error();

/// "1 server", "2 servers".
std::string counted(std::uint64_t count, std::string_view noun);

/// How a cell is to be seen. Colour only ever repeats what the text says.
enum class Tone : std::uint8_t { Plain, Good, Quiet, Busy, Attention, Bad };

struct Cell {
    std::string text;
    Tone tone = Tone::Plain;
};

Cell status_cell(core::ActualStatus status);

/// What becomes of a row that a terminal is too narrow for.
enum class Narrow : std::uint8_t {
    GoesOn, ///< it goes on in the next line, so that nothing is lost
    Cut,    ///< at the edge: the last columns say what the others say as well
};

/// Rows under a heading, in columns as wide as their widest cell.
///
/// Operation: rows wait until 200 are there (or flush() is called); their columns are then set, and
/// only grow. On a terminal the last column takes what the others leave; when that is too little,
/// the columns that do not fit follow in lines of their own (or are cut).
/// A file or pipe gets every row as one line, and every text whole.
class Table {
  public:
    Table(std::vector<std::string> titles, Screen screen, Narrow narrow = Narrow::GoesOn);

    /// As many cells as titles. False as write() is.
    bool row(std::vector<Cell> cells);
    bool flush();

  private:
    void widen(std::vector<Cell> const& cells);
    std::string lines(std::vector<Cell> const& cells) const;
    std::string one_line(std::vector<Cell> const& cells) const;
    std::string with_last_wrapped(std::vector<Cell> const& cells, std::size_t begin) const;
    std::string stacked(std::vector<Cell> const& cells) const;
    std::string shown(Cell const& cell, std::string_view text) const;

    std::vector<Cell> titles_;
    Screen screen_;
    Narrow narrow_;
    std::vector<std::size_t> widths_;
    std::vector<std::vector<Cell>> waiting_;
    bool titled_ = false;
};

/// Objects, as one JSON array or one object a line.
class JsonRows {
  public:
    explicit JsonRows(Output output)
        : output_(output) {}
    bool row(boost::json::object const& object);
    /// Ends the array.
    bool end();

  private:
    Output output_;
    bool any_ = false;
};

} // namespace cpm::replay
