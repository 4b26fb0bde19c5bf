import Foundation
import GPT2Engine
import GPT2Model

/// The known continuations that can be checked here: a file of them each, and the model that is to give them.
struct KnownContinuations {
  let requests: [ContinuationRequest]
  /// Why others are left out, a line each.
  let skipped: [String]

  /// - Parameters:
  ///   - path: a folder as `--reference` takes it.
  ///   - model: the only model of interest; nil for those that the files name.
  /// - Throws: `ModelError` for a file or a model that cannot be read.
  init(in path: String, model: ModelSource?, _ project: Project) throws {
    var requests: [ContinuationRequest] = []
    var skipped: [String] = []
    let checkpoint = try model.map { try $0.open(cacheFolder: project.weights) }
    for file in Self.files(in: path) {
      let known = try ContinuationCase(path: file)
      let usual = project.path(ofModel: known.model)
      if let model, let checkpoint {
        if let difference = known.difference(to: checkpoint) {
          guard (try? ModelSource(usual))?.isSame(as: model) == true else { continue }
          skipped.append("\(known.name): skipped, \(model.name) is another model: \(difference)")
        } else {
          requests.append(ContinuationRequest(file: file, model: model.name))
        }
      } else if !Self.isThere(usual) {
        skipped.append("\(known.name): skipped, \(known.model) is not there; \(known.howToGet)")
      } else if let difference = known.difference(
        to: try ModelSource(usual).open(cacheFolder: project.weights))
      {
        skipped.append("\(known.name): skipped, \(known.model) is another model: \(difference)")
      } else {
        requests.append(ContinuationRequest(file: file, model: usual))
      }
    }
    (self.requests, self.skipped) = (requests, skipped)
  }

  /// The folder's own file, or those of the folders in it.
  static func files(in path: String) -> [String] {
    let manager = FileManager.default
    let name = "/continuations.json"
    if manager.fileExists(atPath: path + name) { return [path + name] }
    let folders = (try? manager.contentsOfDirectory(atPath: path)) ?? []
    return folders.sorted().map { path + "/" + $0 + name }.filter { manager.fileExists(atPath: $0) }
  }

  /// A folder may hold a vocabulary and no weights.
  private static func isThere(_ model: String) -> Bool {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: model, isDirectory: &isFolder) else { return false }
    return !isFolder.boolValue || ModelFolder.holdsWeights(model)
  }
}

extension Project {
  /// A model's name in a reference as `--model` takes it; relative paths start at the project.
  func path(ofModel name: String) -> String {
    name.hasPrefix("synthetic:") || name.hasPrefix("/") ? name : root + "/" + name
  }
}
