namespace TinyLlm.Text;

/// <summary>What output must look like, for one tokenizer. Immutable and safe for concurrent use.</summary>
public sealed class OutputConstraint(ConstraintVocabulary vocabulary, JsonGrammar grammar)
{
    internal ConstraintVocabulary Vocabulary => vocabulary;

    /// <summary>Begins one output.</summary>
    public ConstraintState Begin() => new(vocabulary, grammar.Begin());
}
