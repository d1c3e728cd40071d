USE nacos_config;
INSERT INTO config_info (id, data_id, group_id, content, src_user, src_ip, app_name, tenant_id, c_desc, type, gmt_modified) VALUES
 (1, 'tricky', 'G', 'it''s "quoted" \\ and\r\n\ttabbed; -- 中文 😀 %_ `x` /* y */\n', 'alice', '10.0.0.1', 'shop', 'dev', 'about', 'yaml', '2024-03-02 10:00:00'),
 (2, 'plain', 'DEFAULT_GROUP', 'x=1', NULL, '10.0.0.2', '', '', NULL, 'properties', '2024-03-02 10:00:00');
INSERT INTO config_tags_relation (id, tag_name, tag_type, data_id, group_id, tenant_id) VALUES
 (1, 't1', '', 'tricky', 'G', 'dev'), (1, 't2', '', 'tricky', 'G', 'dev');
INSERT INTO config_info_gray (data_id, group_id, content, tenant_id, gray_name, gray_rule) VALUES
 ('tricky', 'G', 'for beta', 'dev', 'beta', '{"type":"beta","version":"1.0.0","expr":"10.0.0.7,10.0.0.8","priority":2147483647}'),
 ('tricky', 'G', 'for a label', 'dev', 'zone', '{"type":"label","version":"1.0.0","expr":"zone=a","priority":7}');
INSERT INTO config_info_beta (data_id, group_id, content, beta_ips, tenant_id) VALUES
 ('tricky', 'G', 'for beta', '10.0.0.7,10.0.0.8', 'dev');
INSERT INTO config_info_tag (data_id, group_id, tenant_id, tag_id, content) VALUES
 ('plain', 'DEFAULT_GROUP', '', 'v2', 'x=2');
INSERT INTO his_config_info (id, data_id, group_id, content, gmt_modified, src_user, src_ip, op_type, tenant_id, publish_type, ext_info) VALUES
 (0, 'tricky', 'G', 'one', '2024-02-28 10:00:00', 'alice', '10.0.0.1', 'I', 'dev', 'formal', '{"type":"yaml","src_user":"alice"}'),
 (1, 'tricky', 'G', 'one', '2024-03-01 10:00:00', 'bob', '10.0.0.3', 'U', 'dev', 'formal', '{"type":"yaml","src_user":"alice"}'),
 (1, 'tricky', 'G', 'for beta', '2024-02-29 10:00:00', 'bob', '10.0.0.3', 'I', 'dev', 'gray', '{"gray_name":"beta","src_user":"bob","gray_rule":"{\\"type\\":\\"beta\\",\\"version\\":\\"1.0.0\\",\\"expr\\":\\"10.0.0.7\\",\\"priority\\":2147483647}"}'),
 (9, 'gone', 'G', 'bye', '2024-01-01 10:00:00', 'bob', '10.0.0.3', 'D', '', 'formal', NULL);
INSERT INTO tenant_info (kp, tenant_id, tenant_name, tenant_desc, create_source, gmt_create, gmt_modified) VALUES
 ('1', 'dev', 'Development', 'it''s ours', 'nacos', 1700000000000, 1700000000000);
INSERT INTO users VALUES ('nacos', '$2a$10$EuWPZHzz32dJN7jexM34MOeYirDdFAZm2kuWj7VEOJhhZkDrxfvUu', TRUE), ('old', 'plaintext', TRUE);
INSERT INTO roles VALUES ('nacos', 'ROLE_ADMIN');
INSERT INTO permissions VALUES ('dev', 'dev:*:*', 'rw');
