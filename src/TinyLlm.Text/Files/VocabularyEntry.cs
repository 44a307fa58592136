namespace TinyLlm.Text.Files;

/// <summary>A token as its file gives it. <paramref name="Score"/> is a log probability, 0 where the kind of model has none.</summary>
internal readonly record struct VocabularyEntry(string Token, int Id, double Score);
