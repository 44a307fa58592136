namespace TinyLlm.Text.AddedTokens;

/// <summary>A token that is looked for in the text itself, before the model sees it. The flags mean what tokenizer.json's fields of the same names mean.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Content">Its text.</param>
/// <param name="SingleWord">Only where no word character touches it.</param>
/// <param name="StripLeft">Takes the white space before it with it.</param>
/// <param name="StripRight">Takes the white space after it with it.</param>
/// <param name="Normalized">Looked for in the normalized text, in its own normalized form.</param>
/// <param name="Special">A control token: recognised only when the caller says so, and left out of decoded text on request.</param>
internal sealed record AddedToken(int Id, string Content, bool SingleWord, bool StripLeft, bool StripRight, bool Normalized, bool Special);
