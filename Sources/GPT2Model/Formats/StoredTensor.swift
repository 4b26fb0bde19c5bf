/// How the matrix of a linear layer lies in a file.
public enum MatrixOrder: Sendable, Equatable {
  /// (in, out), as Hugging Face's `Conv1D` has it, and `Parameter.shape` says.
  case inputsFirst
  /// (out, in), as PyTorch's `Linear` has it, and llm.c's files.
  case outputsFirst
}

/// Where the values of one parameter lie, and how.
struct StoredTensor {
  let mapping: Mapping
  /// Bytes from the start of the mapping.
  let offset: Int
  let encoding: TensorEncoding
  /// Of a linear weight; whatever else there is lies in its parameter's shape.
  var order = MatrixOrder.inputsFirst

  /// The values where they lie, where they are floats at an address for floats.
  func floats(_ elements: Range<Int>) -> UnsafePointer<Float>? {
    guard encoding == .float32, offset % MemoryLayout<Float>.alignment == 0 else { return nil }
    return UnsafePointer((mapping.base + offset).assumingMemoryBound(to: Float.self) + elements.lowerBound)
  }

  /// Widens values to float32, in the order of the file.
  func decode(_ elements: Range<Int>, to target: UnsafeMutablePointer<Float>) {
    encoding.decode(
      mapping.base + offset + encoding.bytes(of: elements.lowerBound), elements.count, to: target)
  }

  /// The bytes of the mapping that hold values.
  func bytes(_ elements: Range<Int>) -> Range<Int> {
    offset + encoding.bytes(of: elements.lowerBound)..<offset + encoding.bytes(of: elements.upperBound)
  }
}
