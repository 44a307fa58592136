using System.Text.Json;

namespace TinyLlm.Text.Constraints;

/// <summary>One schema's own keywords, all of which hold; references and combinations are resolved already.</summary>
/// <param name="Place">The schema.</param>
/// <param name="Scalars">Where it has an enum or a const: those of its values that are no containers.</param>
internal sealed record SchemaLeaf(SchemaPlace Place, IReadOnlyList<JsonElement>? Scalars);
