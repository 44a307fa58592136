namespace TinyLlm.Text.Constraints;

/// <summary>Code points from <paramref name="Low"/> to <paramref name="High"/> lead to <paramref name="Target"/>.</summary>
internal readonly record struct DfaEdge(int Low, int High, int Target);
