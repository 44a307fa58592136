namespace TinyLlm.Engine;

/// <summary>Learned positions, added to the embeddings.</summary>
/// <param name="Rows">Rows of the table.</param>
/// <param name="Offset">The row of position 0.</param>
public sealed record PositionTable(int Rows, int Offset = 0);
