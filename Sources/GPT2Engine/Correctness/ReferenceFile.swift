import Foundation
import GPT2Model

/// The contents of a JSON file of known results.
protocol ReferenceFile: Decodable {
  associatedtype Prompt
  var format: Int { get }
  var prompts: [Prompt] { get }
}

extension ReferenceFile {
  /// Reads a file of that format with at least one prompt.
  static func read(_ path: String, format: Int) throws(ModelError) -> Self {
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw .unreadable(path: path, reason: "no such file, or it may not be read")
    }
    let file: Self
    do {
      file = try JSONDecoder().decode(Self.self, from: data)
    } catch let error as DecodingError {
      throw ModelError(error, path: path)
    } catch {
      throw .malformed(path: path, problem: "not JSON")
    }
    guard file.format == format else {
      throw .field(path: path, field: "format", found: "\(file.format)", expected: "\(format)")
    }
    guard !file.prompts.isEmpty else {
      throw .field(path: path, field: "prompts", found: "none", expected: "at least one")
    }
    return file
  }
}
