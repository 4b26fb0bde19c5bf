import Foundation
import GPT2Model

/// A `.safetensors` file made by hand, so that each part of it can be made wrong.
struct SafetensorsFile {
  struct Tensor {
    var name: String
    var dtype = "F32"
    var shape: [Int]
    /// Bytes in the data section; nil for the shape's own, behind the tensors before it.
    var offsets: [Int]?
    var data: [UInt8]
  }

  var tensors: [Tensor]
  var metadata: [String: String]?
  /// Spaces behind the JSON.
  var padding = 0

  /// All tensors of a configuration, element i of tensor t being t + i / 1024.
  init(of configuration: Configuration, prefix: String = "") {
    tensors = configuration.parameters.enumerated().map { number, parameter in
      Tensor(
        name: prefix + parameter.name, shape: parameter.shape,
        data: (0..<parameter.count).flatMap { i in
          withUnsafeBytes(of: Self.value(number, i).bitPattern.littleEndian, Array.init)
        })
    }
  }

  static func value(_ tensor: Int, _ element: Int) -> Float { Float(tensor) + Float(element) / 1024 }

  subscript(_ name: String) -> Tensor {
    get { tensors.first { $0.name == name }! }
    set { tensors[tensors.firstIndex { $0.name == name }!] = newValue }
  }

  var json: String {
    var fields: [String] = []
    if let metadata {
      let pairs = metadata.map { "\"\($0.key)\": \"\($0.value)\"" }.sorted()
      fields.append("\"__metadata__\": {\(pairs.joined(separator: ", "))}")
    }
    var end = 0
    for tensor in tensors {
      let offsets = tensor.offsets ?? [end, end + tensor.data.count]
      fields.append(
        "\"\(tensor.name)\": {\"dtype\": \"\(tensor.dtype)\", \"shape\": \(tensor.shape), \"data_offsets\": \(offsets)}"
      )
      end += tensor.data.count
    }
    return "{\(fields.joined(separator: ", "))}" + String(repeating: " ", count: padding)
  }

  var bytes: [UInt8] { Self.bytes(header: Array(json.utf8), data: tensors.flatMap(\.data)) }

  static func bytes(header: [UInt8], length: UInt64? = nil, data: [UInt8]) -> [UInt8] {
    withUnsafeBytes(of: (length ?? UInt64(header.count)).littleEndian, Array.init) + header + data
  }
}

extension Configuration {
  /// The smallest model with more than one of everything.
  static func small(tied: Bool = true) throws -> Configuration {
    try Configuration(
      layers: 2, heads: 2, channels: 6, vocabulary: 11, context: 5, tiesEmbeddings: tied)
  }
}

/// The error's description, which must be one line that starts with the path.
func refusal(naming path: String, _ body: () throws -> some Any) -> String? {
  do {
    _ = try body()
    return nil
  } catch let error as ModelError {
    let text = error.description
    return text.hasPrefix(path) && !text.contains(where: \.isNewline)
      ? text : "not one line with the path: \(text)"
  } catch {
    return "not a ModelError: \(error)"
  }
}
