namespace TinyLlm.Text.Models;

/// <summary>Two tokens that merge into one; lower ranks go first.</summary>
internal readonly record struct MergeRule(string Left, string Right, int Rank);
