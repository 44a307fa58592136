using System.Collections.Frozen;
using TinyLlm.Text.AddedTokens;
using TinyLlm.Text.Decoding;
using TinyLlm.Text.Models;
using TinyLlm.Text.Normalization;
using TinyLlm.Text.PostProcessing;
using TinyLlm.Text.PreTokenization;

namespace TinyLlm.Text.Files;

/// <summary>Makes a tokenizer's parts from a tokenizer.json.</summary>
internal static class TokenizerJsonParts
{
    public static TokenizerParts Make(TokenizerJson file)
    {
        if (file.Vocabulary is null) throw new TokenizerFormatException(TokenizerFormatError.MissingField, "'model' with its 'vocab' is missing");
        Vocabulary vocabulary = new(file.Vocabulary);
        Normalizer normalizer = NormalizerReader.Read(file.Normalizer);
        AddedTokenSet addedTokens = new(AddedTokenSet.Read(file.AddedTokens, vocabulary), normalizer);
        FrozenSet<int> specialIds = addedTokens.All.Where(token => token.Special).Select(token => token.Id).ToFrozenSet();
        return new TokenizerParts
        {
            Vocabulary = vocabulary,
            AddedTokens = addedTokens,
            Normalizer = normalizer,
            PreTokenizers = PreTokenizerReader.Read(file.PreTokenizer),
            Model = TokenModelReader.Read(file, vocabulary, specialIds),
            PostProcessor = PostProcessor.Read(file.PostProcessor, token => TokenizerParts.RequireId(addedTokens, vocabulary, token, "'post_processor'")),
            Decoder = DecoderReader.Read(file.Decoder),
        };
    }
}
