namespace TinyLlm.Text.AddedTokens;

/// <summary>A part of a text: an added token, or text between them when <paramref name="TokenId"/> is null.</summary>
internal readonly record struct Segment(int Start, int End, int? TokenId);
