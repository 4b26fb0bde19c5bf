import CSystem
import Foundation
import NumberFormats
import Synchronization

/// What the matrices of an exported GGUF file hold.
public enum GGUFWeights: String, CaseIterable, Sendable {
  case float32 = "f32"
  case float16 = "f16"
  case bfloat16 = "bf16"
  case q8 = "q8_0"
  case q4 = "q4_0"

  fileprivate var encoding: TensorEncoding {
    switch self {
    case .float32: .float32
    case .float16: .float16
    case .bfloat16: .bfloat16
    case .q8: .q8
    case .q4: .q4
    }
  }

  /// `general.file_type`: `llama_ftype` in llama.h.
  fileprivate var fileType: Int {
    switch self {
    case .float32: 0
    case .float16: 1
    case .q4: 2
    case .q8: 7
    case .bfloat16: 32
    }
  }
}

extension Checkpoint {
  /// Writes the model as llama.cpp's `convert_hf_to_gguf.py` writes a GPT-2, for llama.cpp and gguf-py: linear weights
  /// (out, in), vectors and the position embedding in float32, whatever the matrices are. Blocks are those of
  /// `withBlocksOnce`.
  /// - Parameter tokenizer: nil for a file without a vocabulary.
  /// - Throws: `ModelError.unwritable`, also for a model that blocks do not divide; `.tensor` for a weight that the
  ///   encoding does not hold. Then there is no file.
  public func exportGGUF(
    to path: String, weights: GGUFWeights = .float32, tokenizer: Tokenizer? = nil
  ) throws(ModelError) {
    let parameters = configuration.parameters
    let length = weights.encoding.blockLength
    guard configuration.channels % length == 0 else {
      throw .unwritable(
        path: path,
        reason: "\(weights.rawValue) has blocks of \(length) weights, which do not divide the "
          + "\(configuration.channels) channels of \(name)")
    }
    var header = GGUFHeaderBuilder()
    try putEntries(weights, tokenizer, path: path, in: &header)
    let places = zip(parameters, configuration.ggufNames).map { parameter, name in
      let shape = parameter.role == .linearWeight ? parameter.shape : parameter.shape.reversed()
      return header.putTensor(name, shape, parameter.isMatrix ? weights.encoding : .float32)
    }
    let start = header.bytes
    try ModelFile.write(start.count + header.dataBytes, to: path) { file throws(ModelError) in
      file.copyBytes(from: start)
      nonisolated(unsafe) let data = file.baseAddress! + start.count
      // Of several errors the first tensor's is told.
      let failures = Mutex<[Int: ModelError]>([:])
      inParallel(parameters.count, by: 1) { numbers in
        for number in numbers {
          let encoding = parameters[number].isMatrix ? weights.encoding : .float32
          do throws(ModelError) {
            try self.write(number, encoding, to: data + places[number].lowerBound)
          } catch {
            failures.withLock { $0[number] = error }
          }
        }
      }
      if let failure = failures.withLock({ $0.min { $0.key < $1.key } }) { throw failure.value }
    }
  }

  private func putEntries(
    _ weights: GGUFWeights, _ tokenizer: Tokenizer?, path: String, in header: inout GGUFHeaderBuilder
  ) throws(ModelError) {
    let c = configuration
    let title = URL(fileURLWithPath: name).standardizedFileURL.deletingPathExtension().lastPathComponent
    header.put("general.architecture", "gpt2")
    header.put("general.type", "model")
    header.put("general.name", title)
    header.put("gpt2.block_count", c.layers)
    header.put("gpt2.context_length", c.context)
    header.put("gpt2.embedding_length", c.channels)
    header.put("gpt2.feed_forward_length", c.hidden)
    header.put("gpt2.attention.head_count", c.heads)
    header.put("gpt2.attention.layer_norm_epsilon", c.layerNormEpsilon)
    header.put("gpt2.vocab_size", c.vocabulary)
    header.put("general.file_type", weights.fileType)
    // GGML_QNT_VERSION of ggml.h.
    if weights.encoding.blockLength > 1 { header.put("general.quantization_version", 2) }
    if let tokenizer {
      try tokenizer.putEntries(of: c.vocabulary, path: path, in: &header)
    } else {
      header.put(GGUFHeader.modelKey, GGUFHeader.noTokenizer)
    }
  }

  /// Writes a whole tensor, a linear weight as (out, in).
  private func write(
    _ number: Int, _ encoding: TensorEncoding, to target: UnsafeMutableRawPointer
  ) throws(ModelError) {
    let parameter = configuration.parameters[number]
    let count = parameter.count
    switch encoding {
    case .q8: try writeBlocks(number, .q8, to: target)
    case .q4: try writeBlocks(number, .q4, to: target)
    case .float32:
      let values = target.bindMemory(to: Float.self, capacity: count)
      read(number, into: UnsafeMutableBufferPointer(start: values, count: count), order: .outputsFirst)
    case .float16:
      try writeHalves(number, to: target, "a number that float16 holds", 0x7C00) {
        TensorEncoding.narrow(half: $0)
      }
    case .bfloat16:
      try writeHalves(number, to: target, "a number that bfloat16 holds", 0x7F80) {
        csystem_brain_float($0)
      }
    case .q6: preconditionFailure("nothing writes Q6_K")
    }
  }

  private func writeBlocks(
    _ number: Int, _ format: BlockFormat, to target: UnsafeMutableRawPointer
  ) throws(ModelError) {
    let (_, inputs) = configuration.parameters[number].matrix
    let rowBytes = BlockFormat.count(inputs: inputs) * format.bytes
    try withBlocksOnce(number, as: format, grain: 1) { source, outputs, blocks in
      let bytes = blocks.count * format.bytes
      for output in outputs {
        let place = target + (output * rowBytes + blocks.lowerBound * format.bytes)
        place.copyMemory(from: source + (output - outputs.lowerBound) * bytes, byteCount: bytes)
      }
    }
  }

  /// - Parameter exponent: bits that are all set in what is no number.
  @inline(__always)
  private func writeHalves(
    _ number: Int, to target: UnsafeMutableRawPointer, _ expected: String, _ exponent: UInt16,
    _ narrow: (Float) -> UInt16
  ) throws(ModelError) {
    let count = configuration.parameters[number].count
    let values = UnsafeMutableBufferPointer<Float>.allocate(capacity: count)
    defer { values.deallocate() }
    read(number, into: values, order: .outputsFirst)
    for i in 0..<count {
      let bits = narrow(values[i])
      guard bits & exponent != exponent else {
        throw refusal(of: number, at: i, .outputsFirst, found: values[i], expected: expected)
      }
      target.storeBytes(of: bits.littleEndian, toByteOffset: 2 &* i, as: UInt16.self)
    }
  }
}
