#include "tests/core/document_table.hpp"

#include <fstream>
#include <stdexcept>

namespace {

std::string trimmed(std::string const& text) {
    auto const first = text.find_first_not_of(' ');
    return first == std::string::npos ? ""
                                      : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// The cells of a line "| a | b |"; none for any other line.
std::vector<std::string> cells_of(std::string const& line) {
    std::vector<std::string> cells;
    if (!line.starts_with('|'))
        return cells;
    for (std::size_t at = 1; at < line.size();) {
        auto const end = line.find('|', at);
        if (end == std::string::npos)
            throw std::runtime_error("a table row does not end with |: " + line);
        cells.push_back(trimmed(line.substr(at, end - at)));
        at = end + 1;
    }
    return cells;
}

} // namespace

DocumentTable read_document_table(std::vector<std::string> const& header) {
    std::ifstream file(CPM_SOURCE_DIR "/docs/status-model.md");
    if (!file)
        throw std::runtime_error("docs/status-model.md cannot be read");
    DocumentTable rows;
    int found = 0;
    bool inside = false;
    for (std::string line; std::getline(file, line);) {
        auto cells = cells_of(line);
        if (cells.empty()) {
            inside = false;
        } else if (cells == header) {
            inside = true;
            ++found;
        } else if (inside && !line.starts_with("|---")) {
            rows.push_back(std::move(cells));
        }
    }
    if (found != 1)
        throw std::runtime_error("docs/status-model.md: not exactly one table with this header");
    return rows;
}

bool cell_fits(std::string_view cell, std::string_view value) {
    return cell == "any" || cell == value;
}
