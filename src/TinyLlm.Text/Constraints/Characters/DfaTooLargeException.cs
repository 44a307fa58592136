namespace TinyLlm.Text.Constraints;

/// <summary>An automaton met its bound; whoever knows the place in the schema says so there.</summary>
internal sealed class DfaTooLargeException : Exception;
