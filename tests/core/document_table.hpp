#pragma once

#include <string>
#include <string_view>
#include <vector>

// Reads the tables of docs/status-model.md, so that tests hold the code to the document itself.

/// The cells of each row, trimmed, without the header.
using DocumentTable = std::vector<std::vector<std::string>>;

/// The table of the document whose header is exactly these cells; throws std::runtime_error when
/// there is not exactly one.
DocumentTable read_document_table(std::vector<std::string> const& header);

/// "any" fits everything; all else fits itself.
bool cell_fits(std::string_view cell, std::string_view value);
