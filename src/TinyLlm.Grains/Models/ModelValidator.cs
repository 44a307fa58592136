using TinyLlm.Engine;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Residency;
using TinyLlm.SafeTensors;
using TinyLlm.Storage;
using TinyLlm.Text;

namespace TinyLlm.Grains.Models;

/// <summary>
/// Decides whether uploaded files are a model that this host can serve: every file is read as a load would read it, cheap checks first, and
/// every tensor is accounted for. A refusal names rule, file and tensor. Knows no user and no upload.
/// </summary>
public static class ModelValidator
{
    private const string ConfigFile = "config.json";
    private const string GenerationConfigFile = "generation_config.json";
    private const string WeightsFile = "model.safetensors";
    private const string IndexFile = "model.safetensors.index.json";
    private const string WeightsSuffix = ".safetensors";

    /// <summary>What the files are, or a <see cref="RequestException"/> with <see cref="RequestError.ModelInvalid"/>.</summary>
    public static async Task<ModelFacts> ValidateAsync(
        VersionFiles files, IReadOnlyCollection<string> names, long storedBytes, CancellationToken cancellationToken)
    {
        HashSet<string> present = [.. names];
        // 1. What must be there.
        string[] weights = [.. names.Where(name => name.EndsWith(WeightsSuffix, StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
        Require(present, ConfigFile);
        string tokenizerFile = ModelText.TokenizerFile(present);
        Require(present, tokenizerFile);
        if (weights.Length > 1) Require(present, IndexFile);
        if (weights.Length == 0 || !present.Contains(IndexFile)) Require(present, WeightsFile);

        string current = ConfigFile;
        try
        {
            // 2. The configuration, which says what tensors there must be.
            DecoderConfig config = DecoderConfig.Parse(await files.ReadAsync(ConfigFile, ModelText.MaxConfigurationBytes, cancellationToken));

            if (present.Contains(GenerationConfigFile))
            {
                config.WithGenerationConfig(await files.ReadAsync(GenerationConfigFile, ModelText.MaxConfigurationBytes, cancellationToken));
            }

            // 3. The weights' headers, each on its own, then against index and configuration.
            Dictionary<string, SafeTensorsHeader> headers = [];
            foreach (string name in weights)
            {
                current = name;
                headers[name] = await ReadHeaderAsync(files, name, cancellationToken);
            }
            if (present.Contains(IndexFile))
            {
                current = IndexFile;
                ShardedIndex.Parse(await files.ReadAsync(IndexFile, ModelText.MaxTokenizerBytes, cancellationToken)).Validate(headers);
            }
            current = weights[0];
            CheckpointFacts facts = CheckpointLayout.Validate(config, headers.SelectMany(pair => pair.Value.Tensors.Select(tensor => (pair.Key, tensor))));

            // 4. The text side.
            current = tokenizerFile;
            Tokenizer tokenizer = await ModelText.LoadTokenizerAsync(files, present, cancellationToken);
            if (tokenizer.VocabularySize > config.VocabularySize)
            {
                throw Invalid("vocabulary_too_large", $"The tokenizer has {tokenizer.VocabularySize} tokens, and config.json's vocab_size is {config.VocabularySize}.", current, null);
            }
            current = present.Contains("chat_template.jinja") ? "chat_template.jinja" : "tokenizer_config.json";
            await ModelText.LoadTemplateAsync(files, present, cancellationToken);

            return new ModelFacts
            {
                Architecture = facts.Architecture,
                Parameters = facts.ParameterCount,
                Tensors = facts.TensorCount,
                StoredBytes = storedBytes,
                ContextLength = facts.ContextLength,
                VocabularySize = facts.VocabularySize,
            };
        }
        catch (SafeTensorsException exception)
        {
            throw Invalid(WireCode.Of(exception.Error), exception.Message, exception.FileName ?? current, exception.Tensor);
        }
        catch (ModelFormatException exception)
        {
            throw Invalid(WireCode.Of(exception.Error), exception.Message, exception.File, exception.Tensor);
        }
        catch (TokenizerFormatException exception)
        {
            throw Invalid(WireCode.Of(exception.Error), exception.Message, current, null);
        }
        catch (ChatTemplateException exception)
        {
            throw Invalid(WireCode.Of(exception.Error), exception.Message, current, null);
        }
    }

    private static async Task<SafeTensorsHeader> ReadHeaderAsync(VersionFiles files, string name, CancellationToken cancellationToken)
    {
        using VersionFile file = await files.OpenAsync(name, cancellationToken);
        return await SafeTensorsHeader.ReadAsync(file.AsStream(), file.Length, cancellationToken);
    }

    private static void Require(HashSet<string> present, string name)
    {
        if (!present.Contains(name)) throw Missing(name);
    }

    private static RequestException Missing(string name) => Invalid("file_missing", $"The upload has no {name}: a model needs it.", name, null);

    private static RequestException Invalid(string code, string message, string file, string? tensor) =>
        new(RequestError.ModelInvalid, message) { Detail = code, FileName = file, Tensor = tensor };
}
